# The program and nothing else. Build the pages first, or let the first stage do it.
FROM node:22-bookworm-slim AS pages
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web ./
COPY schema.graphqls ../
RUN npm run build

FROM golang:1.26-bookworm AS program
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=pages /src/web/dist web/dist
RUN CGO_ENABLED=0 go build -trimpath -o /regtok ./cmd/regtok

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=program /regtok /regtok
ENTRYPOINT ["/regtok"]
CMD ["serve"]
