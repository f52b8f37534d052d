"""The front doors: they translate, acknowledge and render. No video logic, no SQL."""
