"""The pages in docs/ say what the code says."""
