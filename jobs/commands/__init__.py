"""One file per command: options in, one call, one rendering, one exit code."""
