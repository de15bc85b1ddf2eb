"""The composition root: cluster + engine + recorder + clock behind one synchronous door."""
