import Postgres
import Store

/// Which tables a stretch of WAL was written for, indexes and TOAST counted with their table, partitions with their parent.
enum WALShare {
  static func position(_ stage: Stage) async throws -> String {
    try await stage.pool.run("select pg_current_wal_flush_lsn()::text")[0].text(0)
  }

  /// Bytes by table. `commit` is what belongs to no block; `images` are whole pages, written once after a checkpoint, which
  /// stand in no table's sum.
  static func bytes(from: String, to: String, _ stage: Stage) async throws -> [(table: String, bytes: Double)] {
    _ = try await stage.pool.run("create extension if not exists pg_walinspect")
    let rows = try await stage.pool.run(
      """
      with rel as (
        select c.oid, c.relfilenode, c.relkind, c.relname from pg_class c
      ), main as (
        select r.relfilenode, coalesce(i.indrelid, r.oid) as oid, r.relname from rel r left join pg_index i on i.indexrelid = r.oid
      ), owner as (
        select m.relfilenode, coalesce(t.oid, m.oid) as oid
        from main m left join pg_class t on t.reltoastrelid = m.oid
      ), named as (
        select o.relfilenode, coalesce(p.inhparent, o.oid)::regclass::text as name
        from owner o left join pg_inherits p on p.inhrelid = o.oid
      ), seen as (
        select substring(block_ref from 'rel [0-9]+/[0-9]+/([0-9]+)')::int8 as node, record_length - fpi_length as own,
          fpi_length as image
        from pg_get_wal_records_info($1::text::pg_lsn, $2::text::pg_lsn)
      )
      select coalesce(n.name, case when s.node is null then 'commit' else 'other' end), sum(s.own)::int8, sum(s.image)::int8
      from seen s left join named n on n.relfilenode = s.node group by 1 order by 2 desc
      """, .text(from), .text(to))
    return rows.map { ($0.text(0), Double($0.int64(1))) } + [("images", rows.reduce(0) { $0 + Double($1.int64(2)) })]
  }
}
