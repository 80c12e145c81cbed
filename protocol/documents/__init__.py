"""The documents of the protocol, generated from its models: AsyncAPI, OpenAPI, JSON Schema,
TypeScript, and a page to read."""
