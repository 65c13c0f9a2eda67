import JSON

enum OpenAPI {
  static let document: JSONValue = .object(JSONObject())
}
