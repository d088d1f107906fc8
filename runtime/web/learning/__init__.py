"""Records of gestures in, frame rates of pages never seen out, and the cheapest setting that keeps one."""
