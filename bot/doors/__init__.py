"""What all chat doors share: accepting requests, delivering replies, where a reply stands, and catching up."""
