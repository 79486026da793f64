"""Pages that people see in a browser: templates, static files and their routes."""
