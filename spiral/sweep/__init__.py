"""From a grid file to rows on disk: expand, plan, launch, look."""
