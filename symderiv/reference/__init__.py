"""What symderiv knows, told from its own tables: a page for each rule, the functions, the operations."""
