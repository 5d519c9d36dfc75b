"""What goes to AWS: the built functions, their template, and the doctor that reads what was deployed."""
