"""What a command does besides a run: each file is one command's work, without options and printing."""
