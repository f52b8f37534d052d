"""From a link or file to an indexed video."""
