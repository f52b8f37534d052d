"""Every sentence that Keaton says."""
