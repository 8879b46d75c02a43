"""Steps to LaTeX, HTML, Markdown, PDF."""
