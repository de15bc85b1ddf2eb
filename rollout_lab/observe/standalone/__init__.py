"""Script and style of the standalone page of a run. Data only: `export.html` puts them into one file."""
