import CloudAPI
import Domain
import JSON
import Store

/// Looks at the templates of accounts as at their numbers: what Meta stopped, approved again or made dearer follows from it
/// as from its webhook, also where that was lost.
extension Guard {
  func lookAtTemplates() async throws {
    while let due = try await TemplateLooks.take(
      whileSending: settings.templatesWhileSending, idle: settings.templatesIdle, on: pool)
    {
      guard let token = tokens.open(due.sealedToken) else {
        log("token_unreadable", [("account", due.wabaID)])
        continue
      }
      let nodes: [TemplateNode]
      do throws(GraphError) {
        nodes = try await graph.templates(ofAccount: due.wabaID, token: token)
      } catch {
        log("guard_look_failed", [("account", due.wabaID), ("error", "\(error)")])
        continue
      }
      let seen = nodes.map { node in
        Templates.Seen(
          metaID: node.id, name: node.name, language: node.language, status: node.status,
          category: node.category ?? .marketing, quality: node.quality.word.uppercased(),
          parameterFormat: node.parameterFormat ?? "POSITIONAL", components: node.components.rendered(),
          ttlSeconds: node.ttlSeconds)
      }
      _ = try await Templates.sync(seen, account: due.account, business: due.business, by: nil, on: pool)
    }
  }
}
