"""What pruners are compared with: dense, random and given masks, masks alone."""
