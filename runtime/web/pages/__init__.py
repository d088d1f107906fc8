"""Pages to measure: served from folders, fetched, made up, and what can be read off them before they move."""
