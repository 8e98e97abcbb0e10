"""Outside messages of any shape become readings."""
