"""The AGI programs, each without the parts that it shares with others."""
