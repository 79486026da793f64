"""The dispatchers' desk: tasks that people decide, posts that are kept current, commands that they give."""
