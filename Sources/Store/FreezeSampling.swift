import Domain
import Postgres

extension FreezePlan {
  /// A sample in front of everybody else.
  public struct Sampling: Sendable, Equatable {
    /// People of the first step; the others follow `CampaignSpec.Guarding.steps`.
    public let size: Int
    /// No sample unless there are more people than this.
    public let above: Int

    public init(size: Int, above: Int) { (self.size, self.above) = (size, above) }
  }

  /// By what the request says; `isTemplateKnown`: its template was sent before.
  public static func sampling(_ choice: CampaignSpec.Guarding.PilotChoice, isTemplateKnown: Bool) -> Sampling? {
    switch choice {
    case .never: nil
    case .always(let pilot): Sampling(size: pilot.size, above: 0)
    case .unlessKnown:
      isTemplateKnown
        ? nil : Sampling(size: CampaignSpec.Guarding.Pilot().size, above: CampaignSpec.Guarding.pilotFrom)
    }
  }
}

extension Freeze {
  /// The step of a pilot as SQL, of the place in the frozen order; 0 where `size` is null.
  static func step(_ place: String, size: String) -> String {
    """
    (case when \(size) is null then 0 when \(place) <= \(size)::int8 then 1 when \(place) <= 5 * \(size)::int8 then 2
      when \(place) <= 21 * \(size)::int8 then 3 else 4 end)::int2
    """
  }

  /// The judged people in the order of a pilot: its steps, and in each step as everybody else, by class and contact.
  ///
  /// Every stratum (country, audience, class) is shuffled by a hash that the campaign seeds, and its people are laid
  /// evenly over the line from 0 to 1, begun at a point of its own; all strata together are then cut along that line. So
  /// each step holds each stratum's share, to the one person, and a stratum too small for its share has its chance.
  static func sampled(_ judged: String, _ pilot: FreezePlan.Sampling, _ campaign: Campaign.ID) -> String {
    let seed = "\(campaign.rawValue)::int8"
    return """
      select * from (
        select l.*, case when reason is null and people > \(pilot.above) then
          \(step("row_number() over (partition by reason is null order by line, dice)", size: String(pilot.size))) end as step
        from (
          select d.*, count(*) filter (where reason is null) over () as people,
            (row_number() over (partition by reason is null, country, audience_id, class order by dice, contact_id)
              - (hashtextextended(country || '/' || audience_id || '/' || class, \(seed)) & 1048575) / 1048576.0::float8)
              / count(*) over (partition by reason is null, country, audience_id, class) as line
          from (select j.*, hashint8extended(contact_id, \(seed)) as dice from (\(judged)) j) d
        ) l
      ) s order by step, class, contact_id offset 0
      """
  }
}
