"""Diagrams as pictures: where nodes and arrows go, and the SVG of them. No other program is needed."""
