"""The product: what Keaton knows about footage. It knows no chat platform and no SQL."""
