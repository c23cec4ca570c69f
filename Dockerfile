FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd/multi-tenancy-operator cmd/multi-tenancy-operator
COPY pkg pkg
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /multi-tenancy-operator ./cmd/multi-tenancy-operator

FROM gcr.io/distroless/static:nonroot
COPY --from=build /multi-tenancy-operator /multi-tenancy-operator
COPY charts /charts
ENV CHART_HOME=/charts
USER 65532:65532
ENTRYPOINT ["/multi-tenancy-operator"]
