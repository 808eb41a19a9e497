"""Breaks copies of the manifests, one thing at a time, and sees each refused with its file, its place and the reason."""

import os
import shutil
import unittest

import check
from copies import Copied

KUBECTL = os.environ.get("KUBECTL", "kubectl")
DEPLOYMENT = "kubernetes/base/deployment.yaml"
STAGING, PRODUCTION = (f"kubernetes/overlays/{name}/kustomization.yaml" for name in ("staging", "production"))


class Broken(Copied):
    def findings(self):
        return check.findings(self.root, KUBECTL)

    def test_as_they_are_nothing_is_found(self):
        self.assertEqual(self.findings(), [])

    # Kubernetes: what a cluster would drop or refuse

    def test_an_unknown_field(self):
        self.edit(DEPLOYMENT, "terminationGracePeriodSeconds: 45", "terminationGracePeriodSeconds: 45\n      restartPolice: Always")
        self.refuses("kubernetes/overlays/production", "Deployment/tool-router", "'restartPolice' was unexpected")

    def test_an_unknown_field_in_a_patch(self):
        self.edit(PRODUCTION, "minAvailable: 2", "minAvailable: 2\n        minAvailabel: 2")
        self.refuses("kubernetes/overlays/production", "PodDisruptionBudget/tool-router", "'minAvailabel' was unexpected")

    def test_an_unknown_field_of_kustomize(self):
        self.edit(STAGING, "newTag: 0.1.0", "newTagg: 0.1.0")
        self.refuses("kubernetes/overlays/staging", "does not render", "newTagg")

    def test_a_wrong_type(self):
        self.edit("kubernetes/base/autoscaler.yaml", "averageUtilization: 70", "averageUtilization: most")
        self.refuses("HorizontalPodAutoscaler/tool-router spec.metrics[0].resource.target.averageUtilization", "'most' is not of type")

    def test_a_missing_field(self):
        self.edit(DEPLOYMENT, "          maxSkew: 1\n          whenUnsatisfiable: ScheduleAnyway", "          maxSkew: 1")
        self.refuses("topologySpreadConstraints[0]", "'whenUnsatisfiable' is a required property")

    def test_a_word_that_no_cluster_knows(self):
        self.edit(DEPLOYMENT, "ScheduleAnyway", "ScheduleAnyhow")
        self.refuses("topologySpreadConstraints[0].whenUnsatisfiable", "'ScheduleAnyhow' is none of DoNotSchedule")

    def test_a_kind_that_is_gone(self):
        self.edit("kubernetes/base/autoscaler.yaml", "apiVersion: autoscaling/v2", "apiVersion: autoscaling/v2beta2")
        self.edit(PRODUCTION, "apiVersion: autoscaling/v2", "apiVersion: autoscaling/v2beta2")
        self.refuses("HorizontalPodAutoscaler", "has no HorizontalPodAutoscaler of autoscaling/v2beta2")

    def test_a_key_that_stands_twice(self):
        self.edit("compose.yaml", "  read_only: true\n  cap_drop", "  read_only: true\n  read_only: false\n  cap_drop")
        self.refuses("compose.yaml: line ", "'read_only' stands here twice")

    def test_a_snapshot_that_cannot_be_written(self):
        self.edit(DEPLOYMENT, "/var/lib/tool-router/catalogue.jsonl", "/somewhere/catalogue.jsonl")
        self.refuses("SNAPSHOT_FILE is /somewhere/catalogue.jsonl, where nothing can be written")

    def test_a_patch_of_nothing(self):
        named = "kind: PodDisruptionBudget\n      metadata:\n        name: "
        self.edit(PRODUCTION, f"{named}tool-router", f"{named}router")
        self.refuses("kubernetes/overlays/production", "does not render", "no matches")

    def test_a_file_that_nothing_refers_to(self):
        self.edit("kubernetes/base/kustomization.yaml", "  - network_policy.yaml\n", "")
        self.edit(STAGING, "target: { kind: NetworkPolicy, name: tool-router }", "target: { kind: NetworkPolicy, name: none }")
        self.refuses("kubernetes/base/network_policy.yaml", "no kustomization.yaml beside it refers to it")

    # Kubernetes: what would be wrong

    def test_staging_with_the_secret_of_production(self):
        self.edit(STAGING, "secretName: tool-router-staging", "secretName: tool-router-production")
        self.refuses("kubernetes/overlays/staging", "shares the Secret tool-router-production with production")
        self.refuses("kubernetes/overlays/staging", "secretName", "does not say that it is staging's")

    def test_staging_in_the_namespace_of_production(self):
        self.edit(STAGING, "namespace: tool-router-staging", "namespace: tool-router-production")
        self.refuses("kubernetes/overlays/staging", "Deployment/tool-router metadata.namespace", "and not tool-router-staging")
        self.edit("kubernetes/overlays/staging/namespace.yaml", "name: tool-router-staging", "name: tool-router-production")
        self.refuses("kubernetes/overlays/staging", "shares the Namespace tool-router-production")

    def test_a_secret_that_the_overlay_does_not_name(self):
        self.edit(PRODUCTION, "              - name: tls\n                secret: { secretName: tool-router-production-tls }\n", "")
        self.refuses("kubernetes/overlays/production", "volumes[1].secret.secretName", "tool-router-tls-unset", "does not name itself")

    def test_a_secret_from_the_environment(self):
        entry = "            - name: TOOL_ROUTER__LOG__FILTER\n              valueFrom: { secretKeyRef: { name: shared, key: a } }\n"
        self.edit(DEPLOYMENT, "          volumeMounts:", f"{entry}          volumeMounts:")
        self.refuses("env[10].valueFrom.secretKeyRef.name", "shared is a secret that this overlay does not name itself")

    def test_a_secret_in_the_repository(self):
        path = self.deploy / "kubernetes/overlays/staging/secret.yaml"
        path.write_text("apiVersion: v1\nkind: Secret\nmetadata: { name: tool-router-staging }\nstringData: { select_token: abc }\n")
        self.refuses("kubernetes/overlays/staging/secret.yaml", "holds a secret")
        self.edit(STAGING, "  - namespace.yaml", "  - namespace.yaml\n  - secret.yaml")
        self.refuses("kubernetes/overlays/staging:", "Secret/tool-router-staging", "is rendered")

    def test_a_secret_under_another_ending(self):
        (self.deploy / "kubernetes/overlays/staging/secret.json").write_text('{"kind": "Secret"}')
        self.refuses("kubernetes/overlays/staging/secret.json", "is no .yaml file")

    def test_a_secret_generator(self):
        self.edit(STAGING, "resources:", "secretGenerator:\n  - { name: more, literals: [a=b] }\nresources:")
        self.refuses("kubernetes/overlays/staging/kustomization.yaml", "holds a secret")

    def test_a_grace_period_shorter_than_the_drain(self):
        self.edit(DEPLOYMENT, "terminationGracePeriodSeconds: 45", "terminationGracePeriodSeconds: 35")
        self.refuses("terminationGracePeriodSeconds", "is 35, drain delay, drain timeout and 5 s to close up are 40 s")

    def test_no_grace_period(self):
        self.edit(DEPLOYMENT, "      terminationGracePeriodSeconds: 45\n", "")
        self.refuses("terminationGracePeriodSeconds", "is 30, drain delay")

    def test_a_drain_shorter_than_the_probe(self):
        self.edit(DEPLOYMENT, 'DRAIN_DELAY_MS, value: "10000"', 'DRAIN_DELAY_MS, value: "0"')
        self.refuses("server.drain_delay_ms is 0, the readiness probe needs 10 s to notice")

    def test_a_variable_that_no_key_answers_to(self):
        self.edit(DEPLOYMENT, "TOOL_ROUTER__SERVER__DRAIN_TIMEOUT_MS", "TOOL_ROUTER__SERVER__DRAIN_TIMEOUT")
        self.refuses("containers[0].env[7]", "TOOL_ROUTER__SERVER__DRAIN_TIMEOUT stands for the key server.drain_timeout, which")

    def test_a_variable_with_one_underscore(self):
        self.edit(DEPLOYMENT, "TOOL_ROUTER__EMBEDDER__WORKERS", "TOOL_ROUTER_EMBEDDER_WORKERS")
        self.refuses("TOOL_ROUTER_EMBEDDER_WORKERS is read by nobody")

    def test_a_value_of_the_wrong_type(self):
        self.edit(DEPLOYMENT, 'DRAIN_TIMEOUT_MS, value: "25000"', "DRAIN_TIMEOUT_MS, value: 25s")
        self.refuses("TOOL_ROUTER__SERVER__DRAIN_TIMEOUT_MS is '25s', the key server.drain_timeout_ms takes a number")

    def test_a_file_that_is_not_mounted(self):
        self.edit(DEPLOYMENT, "              - { key: admin_token, path: admin_token }\n", "")
        self.refuses("TOOL_ROUTER__ACCESS__ADMIN_TOKEN_FILE is /run/secrets/tool-router/admin_token, which no secret is mounted as")

    def test_no_tokens(self):
        self.edit(DEPLOYMENT, self.line(DEPLOYMENT, "TOOL_ROUTER__ACCESS__ADMIN_TOKEN_FILE"), "")
        self.refuses("access.admin_token_file not set: anyone could call")

    def test_no_database(self):
        self.edit(DEPLOYMENT, self.line(DEPLOYMENT, "TOOL_ROUTER__STORE__POSTGRES__URL_FILE"), "")
        self.refuses("store.postgres.url_file is not set")

    def test_a_missing_probe(self):
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            with self.subTest(probe):
                self.setUp()
                text = (self.deploy / DEPLOYMENT).read_text()
                start = text.index(f"          {probe}:")
                end = text.index("            failureThreshold", start)
                (self.deploy / DEPLOYMENT).write_text(text[:start] + text[text.index("\n", end) + 1 :])
                self.refuses("kubernetes/overlays/staging", f"containers[0].{probe}", "is missing")

    def test_a_probe_on_another_port(self):
        self.edit(DEPLOYMENT, "startupProbe:\n            grpc: { port: 7431 }", "startupProbe:\n            grpc: { port: 7432 }")
        self.refuses("startupProbe.grpc.port", "is 7432, gRPC listens on 7431")

    def test_a_grpc_probe_under_tls(self):
        probe = "readinessProbe:\n                  grpc: null\n                  httpGet: { path: /readyz, port: 7432 }"
        self.edit("kubernetes/components/tls/kustomization.yaml", probe, "readinessProbe: {}")
        self.refuses("kubernetes/overlays/production", "readinessProbe.grpc", "speak no TLS")

    def test_a_liveness_probe_that_asks_for_readiness(self):
        self.edit(DEPLOYMENT, "path: /livez", "path: /readyz")
        self.refuses("livenessProbe", "does not ask /livez on 7432")

    def test_a_port_that_the_router_does_not_listen_on(self):
        self.edit(DEPLOYMENT, "containerPort: 7431", "containerPort: 7430")
        self.refuses("containers[0].ports", "grpc is 7430, server.grpc_address is 7431")

    def test_a_budget_that_lets_no_pod_go(self):
        self.edit(PRODUCTION, "minAvailable: 2", "minAvailable: 3")
        self.refuses("PodDisruptionBudget/tool-router spec.minAvailable", "is 3, of 3 pods at least one must be allowed to go")

    def test_one_pod(self):
        self.edit("kubernetes/base/autoscaler.yaml", "minReplicas: 2", "minReplicas: 1")
        self.refuses("kubernetes/overlays/staging", "HorizontalPodAutoscaler/tool-router spec.minReplicas", "is 1")

    def test_replicas_beside_the_autoscaler(self):
        self.edit(DEPLOYMENT, "  revisionHistoryLimit: 5", "  revisionHistoryLimit: 5\n  replicas: 3")
        self.refuses("Deployment/tool-router spec.replicas", "is the autoscaler's")

    def test_a_root_that_can_be_written(self):
        self.edit(DEPLOYMENT, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
        self.refuses("readOnlyRootFilesystem", "is False and not True")

    def test_an_image_without_a_version(self):
        self.edit(STAGING, "newTag: 0.1.0", "newTag: latest")
        self.refuses("kubernetes/overlays/staging", "containers[0].image", "does not say which version")

    def test_a_selector_that_chooses_nothing(self):
        selector = "  selector:\n    app.kubernetes.io/name: "
        self.edit("kubernetes/base/service.yaml", f"{selector}tool-router", f"{selector}router")
        self.refuses("Service/tool-router spec.selector", "does not choose the pods")

    def test_one_address_for_all_pods(self):
        self.edit("kubernetes/base/service.yaml", "  clusterIP: None\n", "")
        self.refuses("Service/tool-router spec.clusterIP", "would tie each client to one pod")

    def test_a_network_that_lets_everyone_in(self):
        policy = "kubernetes/base/network_policy.yaml"
        self.edit(policy, '          podSelector:\n            matchLabels: { tool-router/client: "true" }\n', "")
        self.refuses("NetworkPolicy/tool-router spec.ingress[0].from[0]", "lets in others")
        self.edit(policy, "    - ports: [{ protocol: TCP, port: 5432 }]", "    - {}")
        self.refuses("NetworkPolicy/tool-router spec.egress[1].ports", "all where only [53, 5432] are meant")

    def test_a_missing_object(self):
        self.edit("kubernetes/base/kustomization.yaml", "  - service.yaml\n", "")
        self.refuses("kubernetes/overlays/staging: Service: 0 found")

    def test_a_missing_overlay(self):
        shutil.rmtree(self.deploy / "kubernetes/overlays/staging")
        self.refuses("kubernetes/overlays", "1 found, staging and production are two")

    # Compose

    def test_an_unknown_field_of_compose(self):
        self.edit("compose.yaml", "  stop_grace_period: 40s\n  restart", "  stop_grace: 40s\n  restart")
        self.refuses("compose.yaml: services.router-a", "'stop_grace' was unexpected")

    def test_a_grace_period_shorter_than_the_drain_in_compose(self):
        self.edit("compose.single.yaml", "stop_grace_period: 40s", "stop_grace_period: 25s")
        self.refuses("compose.single.yaml: services.router.stop_grace_period", "is 25 s", "are 30 s")

    def test_a_drain_that_the_balancer_does_not_see(self):
        self.edit("compose.yaml", 'DRAIN_DELAY_MS: "5000"', 'DRAIN_DELAY_MS: "0"')
        self.refuses("compose.yaml: services.router-b.environment", "server.drain_delay_ms is 0, the balancer needs 3000")

    def test_a_port_beyond_loopback(self):
        self.edit("compose.yaml", '"127.0.0.1:7431:7431"', '"7431:7431"')
        self.refuses("compose.yaml: services.balancer.ports", "open beyond loopback")

    def test_an_unknown_variable_in_compose(self):
        self.edit("compose.single.yaml", "TOOL_ROUTER__SERVER__INSECURE", "TOOL_ROUTER__SERVER__UNSAFE")
        self.refuses("compose.single.yaml: services.router.environment.TOOL_ROUTER__SERVER__UNSAFE", "the key server.unsafe")

    def test_variables_as_a_list(self):
        self.edit("compose.tls.yaml", "      TLS_CERTIFICATE: /run", "      - TLS_CERTIFICATE=/run")
        self.refuses("compose.tls.yaml: services.balancer.environment", "is a list")

    def test_a_password_in_the_file(self):
        self.edit("compose.yaml", "POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password", "POSTGRES_PASSWORD: abc")
        self.refuses("compose.yaml: services.postgres.environment.POSTGRES_PASSWORD", "holds a secret itself")

    def test_a_secret_that_the_service_does_not_get(self):
        self.edit("compose.yaml", "secrets: [select_token, admin_token, postgres_url]", "secrets: [select_token, admin_token]")
        self.refuses("compose.yaml: services.router-a.environment", "/run/secrets/postgres_url is not among the service's secrets")

    def test_rights_that_came_back(self):
        self.edit("compose.yaml", "    cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    shm_size", "    shm_size")
        self.refuses("compose.yaml: services.postgres.cap_drop", "is None and not ['ALL']")
        self.refuses("compose.yaml: services.postgres.security_opt", "is None")

    def test_neither_tls_nor_the_word_for_it(self):
        self.edit("compose.single.tls.yaml", "      TOOL_ROUTER__SERVER__TLS__KEY_FILE: /run/secrets/tls_key\n", "")
        self.refuses("compose.single.tls.yaml: services.router.environment", "only one is set")


if __name__ == "__main__":
    unittest.main()
