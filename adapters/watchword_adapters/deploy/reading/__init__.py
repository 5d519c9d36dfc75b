"""Reading: a deployment as it is, from AWS, from a template or from built zips."""
