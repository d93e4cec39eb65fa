"""Statistics of reader studies as pure functions: arrays in, frozen unrounded results out."""
