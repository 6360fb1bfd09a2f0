"""Pages for people: one file of HTML each, that runs no script and asks nothing of any other place."""
