"""A shop's OpenAPI document, with what documents of people have: references, cycles, `allOf`, 3.0's own words."""

PETS = """
openapi: 3.0.3
info: {title: Pets, version: "1", description: A shelter.}
servers: [{url: "https://{region}.pets.example/v1", variables: {region: {default: eu}}}]
security: [{key: []}]
paths:
  /pets:
    get:
      summary: List pets
      parameters:
        - {name: species, in: query, schema: {type: string, enum: [dog, cat]}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 20}}
        - {name: Accept, in: header, schema: {type: string}}
      responses:
        200:
          description: ok
          content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Pet"}}}}
    post:
      operationId: createPet
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
      responses:
        201: {description: made, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
        400: {$ref: "#/components/responses/Bad"}
  /pets/{petId}:
    parameters: [{$ref: "#/components/parameters/PetId"}]
    get:
      operationId: getPet
      responses:
        200: {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
        404: {$ref: "#/components/responses/Bad"}
    patch:
      operationId: updatePet
      requestBody: {content: {application/json: {schema: {type: object, properties: {name: {type: string}}}}}}
      responses:
        200: {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
    delete:
      operationId: deletePet
      security: []
      responses: {204: {description: gone}, 404: {$ref: "#/components/responses/Bad"}}
components:
  parameters:
    PetId: {name: petId, in: path, required: true, schema: {type: int, minimum: 0, exclusiveMinimum: true}}
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  responses:
    Bad:
      description: bad
      content:
        application/json:
          schema:
            type: object
            required: [code, message]
            properties: {code: {type: integer}, message: {type: string}}
  schemas:
    Named: {type: object, required: [name], properties: {name: {type: string, pattern: "(a+)+$"}}}
    Pet:
      allOf:
        - $ref: "#/components/schemas/Named"
        - type: object
          properties:
            id: {type: integer, readOnly: true}
            species: {type: string, enum: [dog, cat]}
            born: {type: string, format: date, nullable: true}
            mother: {$ref: "#/components/schemas/Pet"}
"""
