"""What several AGI programs need; put into each that imports it."""
