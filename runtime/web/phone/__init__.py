"""Pages in the browser of a phone, over adb: opened, measured, and left as they were."""
