"""The Ray executor, and the process in which it runs."""
