import API
import Domain
import JSON
import Testing

@Suite struct `The contract's document` {
  @Test func `has every route and no other`() async throws {
    let service = try await TestService()
    let document = try await service.call("GET", "/openapi.json", as: .marketer).json
    var documented: Set<String> = []
    for (path, methods) in document["paths"]?.objectValue ?? [] {
      for (method, _) in methods.objectValue ?? [] { documented.insert(method.uppercased() + " " + path) }
    }
    #expect(documented == Set(service.api.routes.map { $0.method + " " + $0.path }))
    await service.close()
  }

  @Test func `refers to nothing that it lacks`() async throws {
    let service = try await TestService()
    let document = try await service.call("GET", "/openapi.json").json
    func references(_ value: JSONValue) -> [String] {
      switch value {
      case .array(let members): members.flatMap(references)
      case .object(let object):
        object.fields.flatMap { $0.key == "$ref" ? [$0.value.stringValue ?? ""] : references($0.value) }
      default: []
      }
    }
    let all = references(document)
    #expect(all.count > 50)
    for reference in Set(all) {
      let found = reference.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
      #expect(found != nil, "\(reference)")
    }
    await service.close()
  }
}
