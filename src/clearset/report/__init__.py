"""Tables -> figures, galleries and pages."""
