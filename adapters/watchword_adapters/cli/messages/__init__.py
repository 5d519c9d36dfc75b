"""Messages before anybody gets them: one with made-up values, and what is wrong with the templates of all."""
