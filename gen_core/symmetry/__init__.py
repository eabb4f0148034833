"""What building a symmetry into a generative model buys, and what it does not."""
