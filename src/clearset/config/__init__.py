"""The shape of params.yaml: schema, composition, adoption, and a stage that reads its section."""
