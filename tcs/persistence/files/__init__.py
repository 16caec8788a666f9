"""Files of points that are read, and files of bars that are written, for the command line."""
