/** Figures as text: what Prometheus reads must be valid whatever servers and labels are called. */
import { describe, expect, test } from "vitest";
import { CLIENT_METRICS, clientMetricsText, prometheusText, SERVER_METRICS } from "../../../src/core/gearman/metrics.ts";

const TABLE = {
  jobs: { name: "jobs_total", type: "counter", doc: "All jobs,\nwith \\ in them." },
  held: { name: "jobs_held", type: "gauge", doc: "Jobs held." },
} as const;

describe("prometheusText", () => {
  test("gives each figure its help and type once, then a line for each sample", () => {
    const samples = [
      { labels: { server: "a:1" }, values: { jobs: 1, held: 2 } },
      { labels: { server: "b:2", queue: "x" }, values: { jobs: 3, held: 4.5 } },
    ];
    expect(prometheusText(TABLE, samples)).toBe(
      [
        "# HELP jobs_total All jobs,\\nwith \\\\ in them.",
        "# TYPE jobs_total counter",
        'jobs_total{server="a:1"} 1',
        'jobs_total{server="b:2",queue="x"} 3',
        "# HELP jobs_held Jobs held.",
        "# TYPE jobs_held gauge",
        'jobs_held{server="a:1"} 2',
        'jobs_held{server="b:2",queue="x"} 4.5',
        "",
      ].join("\n"),
    );
  });

  test("has no braces without labels, and writes what is no finite number as Prometheus does", () => {
    const text = prometheusText({ held: TABLE.held }, [{ values: { held: Number.POSITIVE_INFINITY } }]);
    expect(text).toContain("\njobs_held +Inf\n");
    expect(prometheusText({ held: TABLE.held }, [{ values: { held: Number.NaN } }])).toContain("\njobs_held NaN\n");
  });

  test("escapes quotes, backslashes and line ends in label values", () => {
    const text = prometheusText({ held: TABLE.held }, [{ labels: { name: 'a"b\\c\nd' }, values: { held: 0 } }]);
    expect(text).toContain('jobs_held{name="a\\"b\\\\c\\nd"} 0\n');
  });

  test.each(["", "1st", "a-b", "ä"])("refuses the label name %j", (name) => {
    expect(() => prometheusText({ held: TABLE.held }, [{ labels: { [name]: "x" }, values: { held: 0 } }])).toThrow(
      `${JSON.stringify(name)} is no label`,
    );
  });
});

describe("the client's tables", () => {
  test("have names that are valid, told apart, and end as their type asks", () => {
    const metrics = [...Object.values(CLIENT_METRICS), ...Object.values(SERVER_METRICS)];
    for (const { name, type } of metrics) {
      expect(name).toMatch(/^[a-z_]+$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
    }
    expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  });

  test("go into one text, the servers' figures with a line for each server", () => {
    const zeros = (table: object) => Object.fromEntries(Object.keys(table).map((key) => [key, 0]));
    const server = { ...(zeros(SERVER_METRICS) as Record<keyof typeof SERVER_METRICS, number>), connects: 7 };
    const jobs = { ...(zeros(CLIENT_METRICS) as Record<keyof typeof CLIENT_METRICS, number>), submitted: 3 };
    const text = clientMetricsText({ ...jobs, ...server, servers: { "a:1": server, "b:1": server } }, { app: "shop" });
    expect(text).toContain('gearman_client_jobs_submitted_total{app="shop"} 3\n');
    expect(text).toContain('gearman_client_connects_total{app="shop",server="a:1"} 7\n');
    expect(text).toContain('gearman_client_connects_total{app="shop",server="b:1"} 7\n');
    for (const line of text.trimEnd().split("\n")) expect(line).toMatch(/^(# (HELP|TYPE) \S+ .+|[a-z_]+\{.+\} \d+)$/);
  });
});
