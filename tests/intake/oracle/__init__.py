"""Second opinions, written from the contract in plain Python: slow, simple, without the libraries they judge."""
