"""A browser and its pages, driven over the Chrome DevTools Protocol."""
