"""Programs that show what the project does."""
