"""What each command of the command line does; one command per module, loaded when it is called."""
