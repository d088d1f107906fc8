"""An Android phone behind adb: models run in the benchmark programs that others build."""
