"""What a bundle takes on a target: records, their verdicts, and everything that makes or reads them."""
