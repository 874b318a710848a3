"""Tests of tools/ and of the shipped Asterisk configuration, on real servers."""
