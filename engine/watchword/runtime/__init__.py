"""Create and Verify: challenges, their messages and answers, and what is kept between calls."""
