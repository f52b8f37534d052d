"""The heavy parts behind the ports: decoding, fetching, CLIP, plotting. May import core; core never imports these."""
