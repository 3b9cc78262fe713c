"""The words that methods, engines and the experiment share."""
