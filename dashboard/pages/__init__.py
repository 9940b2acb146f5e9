"""One module per page: `layout` of what stands still, `read` and `draw` of what lives, `register` to tie them."""
